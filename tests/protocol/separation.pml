/* One separation, as splitter, broker, workers and assembler see it: what each keeps on its disk, what each only remembers,
 * which messages travel, and where each can be killed. check.py lets Spin look at every order of events.
 *
 * Left out: audio, uploads, the plan (it is there from the start), and time. "Nothing has moved for --stall-after" is
 * Spin's `timeout`: nobody else can do anything.
 *
 * Faults are bounded (FAULTS in all), since services come back: without a bound, a worker that is killed each time would
 * be a way not to end. What is a fault: kill -9 of any service at any step, a message that the broker loses, the stream of
 * news that breaks.
 *
 * Defines: CHUNKS, STEMS, WORKERS, FAULTS, THROWS (failures that workers report), CANCELS (how often the user cancels and
 * begins anew), POISON (chunk 0 kills every worker), STUBBORN (chunk 0 is always reported as failed), NO_LOSSES (the broker loses no message). BREAK_... takes one
 * rule away, to show that the check would see it.
 */

#ifndef CHUNKS
#define CHUNKS 2
#endif
#ifndef STEMS
#define STEMS 1
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef THROWS
#define THROWS 1
#endif
#ifndef CANCELS
#define CANCELS 0
#endif

#define WINDOW CHUNKS        /* the splitter sends while fewer chunks are ready */
#define DELIVERY_LIMIT (FAULTS + 1) /* more than what can befall an innocent chunk */
#define MAX_TRIES 2
#define ALL_STEMS ((1 << STEMS) - 1)
#define ALL_CHUNKS ((1 << CHUNKS) - 1)

mtype = { SEPARATING, FINISHING, SUCCEEDED, FAILED, CANCELLED };

byte throws = THROWS;
byte faults = FAULTS;
#define MAY_FAIL (faults > 0)
#define FAIL faults--

/* The broker. Its queues are on its disk; a message stays in them until it is acknowledged. */
chan chunk_queue = [WINDOW + WORKERS] of { byte, byte, byte, byte };        /* attempt, chunk, try, deliveries */
chan result_queue = [STEMS * WORKERS + 1] of { byte, byte, byte, byte, bool }; /* attempt, chunk, stem, try, good */
chan dead_queue = [WORKERS] of { byte, byte };                              /* attempt, chunk */

/* The assembler's disk. */
mtype state = SEPARATING;
byte attempt = 1;
byte stored[CHUNKS];  /* a bit for each stem */
byte origin[CHUNKS];  /* the attempt whose samples were stored */
byte tries[CHUNKS];
byte joined;          /* chunks that the record says are in the joined files */
bool at_hand;         /* it has been given the first result of its queue; forgotten when it is killed */
byte in_file[CHUNKS]; /* how often a chunk is in the joined files, which may be more than what the record says */

/* The stream from the assembler to the splitter, and what the splitter remembers. */
bool connected;
byte news_retry;      /* chunks to be sent again, a bit for each */
byte to_send;         /* a bit for each chunk */
byte sent_try[CHUNKS];
byte sent_attempt;

inline end_as(how) {
  state = how;
  news_retry = 0
}

#include "worker.pml"
#include "assembler.pml"
#include "splitter.pml"

#ifndef NO_LOSSES
/* A disk of the broker is lost, or somebody purges a queue. */
proctype Loss() {
  byte a, k, s, t, d;
  bool good;
end:
  do
  :: atomic { MAY_FAIL && nempty(chunk_queue) -> FAIL; chunk_queue ? a, k, t, d; a = 0; k = 0; t = 0; d = 0 }
  :: atomic {
       MAY_FAIL && !at_hand && nempty(result_queue) ->
       FAIL;
       result_queue ? a, k, s, t, good;
       a = 0; k = 0; s = 0; t = 0; good = false
     }
  od
}
#endif

#if CANCELS > 0
/* Cancels, and wants it after all: the next attempt begins with nothing. */
proctype User() {
  byte left = CANCELS, i;
end:
  do
  :: left > 0 ->
     atomic {
       if
       :: state == SEPARATING || state == FINISHING -> end_as(CANCELLED)
       :: else
       fi
     };
     atomic {
       if
       :: state == CANCELLED || state == FAILED ->
          attempt++;
          joined = 0;
          i = 0;
          do
          :: i < CHUNKS -> stored[i] = 0; in_file[i] = 0; origin[i] = 0; tries[i] = 1; i++
          :: else -> break
          od;
          i = 0;
          connected = false; /* the news of a separation that was opened, which is a snapshot of it */
          state = SEPARATING
       :: else
       fi;
       left--
     }
  :: else -> break
  od
}
#endif

init {
  byte i;
  atomic {
    do
    :: i < CHUNKS -> tries[i] = 1; sent_try[i] = 1; i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < WORKERS -> run Worker(); i++
    :: else -> break
    od;
    i = 0;
    run Assembler();
    run Splitter();
#ifndef NO_LOSSES
    run Loss();
#endif
#if CANCELS > 0
    run User();
#endif
  }
}

#define ended (state == SUCCEEDED || state == FAILED || state == CANCELLED)
/* Nothing stays unfinished for ever. (`timeout` is enabled only where nobody else can go on.) */
ltl finishes { [] <> ended }
#if defined(POISON) || defined(STUBBORN)
ltl is_told { <> (state == FAILED) }
#else
/* A chunk that kills nobody, and is reported as failed no more than once, ends no job. */
ltl never_fails { [] (state != FAILED) }
#endif
