/* big_work.c -- GMP's long operations on a helper thread
 *
 * GMP can't be interrupted: a product of two numbers of a hundred million digits takes seconds.  So what takes more than some
 * milliseconds runs on a thread of its own, which blocks all signals and knows only its job: copies of the operands, results,
 * and an eventfd.  The session waits for that as for any descriptor, so Ctrl-C, Timeout and other threads have their turn.
 * A wait that ends by an exception leaves the job to the helper, who frees it when GMP comes back.  Since such helpers take
 * processor time and memory, at most ABANDONED_MAX of them go on at once: further work waits for them.
 *
 * I1  Exactly one side frees a job: whoever comes second to `state` (a single exchange on each side).
 * I2  A helper calls malloc and GMP only, and never the VM's memory contexts, errors or heap.
 *
 * After a fork the child has no helpers; the thread that forked was not waiting for one.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "lib/error.h"
#include "vm/core/big_work.h"
#include "vm/core/core_private.h"
#include "vm/thread.h"

enum {
    SHORT_PRODUCTS = 1 << 26, /* limb products: about what GMP does in 5 ms, whatever its algorithm */
    ABANDONED_MAX = 2,
    ABANDONED_PAUSE = 10 * 1000 * 1000, /* ns */
};

enum { JOB_RUNS, JOB_DONE, JOB_ABANDONED };

typedef struct Job {
    BigWork work;
    mpz_t own[3];
    int done_fd;
    _Atomic int state;
} Job;

static _Atomic int abandoned;

static void job_free(Job *job, bool results)
{
    for (size_t i = 0; i < COUNT_OF(job->own); i++)
        if (job->work.in[i])
            mpz_clear(job->own[i]);
    if (results) {
        mpz_clear(job->work.out[0]);
        mpz_clear(job->work.out[1]);
        free(job->work.text);
    }
    close(job->done_fd);
    free(job);
}

static void *helper(void *arg)
{
    Job *job = arg;
    job->work.run(&job->work);
    /* acq_rel: the results are seen by who reads JOB_DONE, and the wish to leave by us. */
    if (atomic_exchange_explicit(&job->state, JOB_DONE, memory_order_acq_rel) == JOB_ABANDONED) {
        job_free(job, true);
        atomic_fetch_sub(&abandoned, 1);
        return NULL;
    }
    eventfd_write(job->done_fd, 1); /* the waiter frees the job after it has read this */
    return NULL;
}

/* A job with copies of the operands, under way; NULL when there is no thread to be had. */
static Job *job_start(const BigWork *work)
{
    Job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    job->work = *work;
    job->done_fd = eventfd(0, EFD_CLOEXEC);
    for (size_t i = 0; i < COUNT_OF(job->own); i++)
        if (work->in[i]) {
            mpz_init_set(job->own[i], work->in[i]);
            job->work.in[i] = job->own[i];
        }
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = job->done_fd >= 0 && pthread_create(&thread, NULL, helper, job) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) {
        job_free(job, false);
        return NULL;
    }
    pthread_detach(thread);
    return job;
}

/* Until the helper has written, and so does not touch the job any more. */
static void job_wait(Job *job)
{
    eventfd_t ignored;
    while (eventfd_read(job->done_fd, &ignored) != 0)
        ;
}

void big_work(BigWork *work, uint64_t n, uint64_t m)
{
    mpz_init(work->out[0]);
    mpz_init(work->out[1]);
    uint64_t products;
    if (!__builtin_mul_overflow(n, m, &products) && products <= SHORT_PRODUCTS) {
        work->run(work);
        return;
    }
    Job *volatile job = NULL;
    TRY()
    {
        while (atomic_load(&abandoned) >= ABANDONED_MAX)
            thread_sleep_until(thread_now() + ABANDONED_PAUSE);
        job = job_start(work);
        if (job)
            thread_wait_fd(job->done_fd, POLLIN, THREAD_FOREVER);
    }
    CATCH(err)
    {
        if (!job) {
            free(work->text);
        } else {
            atomic_fetch_add(&abandoned, 1);
            if (atomic_exchange_explicit(&job->state, JOB_ABANDONED, memory_order_acq_rel) == JOB_DONE) {
                atomic_fetch_sub(&abandoned, 1);
                job_wait(job);
                job_free(job, true);
            }
        }
        rethrow();
    }
    END_TRY();
    if (!job) {
        work->run(work);
        return;
    }
    job_wait(job);
    mpz_swap(work->out[0], job->work.out[0]);
    mpz_swap(work->out[1], job->work.out[1]);
    work->text = job->work.text;
    mpz_clear(job->work.out[0]);
    mpz_clear(job->work.out[1]);
    job_free(job, false);
}
