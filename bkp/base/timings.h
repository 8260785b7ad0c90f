/* timings: where the time of a run goes: for `bkp run --timings` and docs/performance.md.
 *
 * Taken at every batch (a MiB or so), so they cost nothing that could be measured.  Stages run at the same
 * time, so their times add up to more than the run's.  Any thread may call timings_end().
 */
#ifndef BKP_BASE_TIMINGS_H
#define BKP_BASE_TIMINGS_H

#include <stdatomic.h>
#include <stdint.h>

enum timing_stage {
	TIMING_READER, /* walk, look, open, read, cut */
	TIMING_IDS,    /* HMAC of contents */
	TIMING_STORE,  /* index, catalog: what capture does besides the others */
	TIMING_COMPRESS,
	TIMING_SEAL,	 /* encrypt, hash, write */
	TIMING_CAPTURE,	 /* all of the above */
	TIMING_COMMIT,	 /* documents, signature, one rename on each medium, journal */
	TIMING_READBACK, /* and media that catch up */
	TIMING_STAGES
};

struct timings {
	struct timing {
		_Atomic uint64_t
		    busy_ns; /* of real time, summed over threads; waiting for another stage excepted */
		_Atomic uint64_t cpu_ns;
		_Atomic uint64_t user_ns; /* the part of cpu_ns that is not the kernel's; of phases only */
		_Atomic uint64_t bytes;
	} stages[TIMING_STAGES];
};

struct timings_mark {
	uint64_t real, cpu, user;
};

/* The calling thread's clocks; timings may be NULL in both. */
struct timings_mark timings_begin(void);
void timings_end(
    struct timings *t, enum timing_stage stage, const struct timings_mark *since, uint64_t bytes);
/* The process's. */
struct timings_mark timings_begin_phase(void);
void timings_end_phase(
    struct timings *t, enum timing_stage stage, const struct timings_mark *since, uint64_t bytes);
/* Time that passed waiting within a stage is none of its. */
uint64_t timings_now(void);
void timings_waited(struct timings *t, enum timing_stage stage, uint64_t since);

/* TIMING_STORE becomes what TIMING_CAPTURE, ended before, took beyond the other stages. */
void timings_close_capture(struct timings *t);

#endif
