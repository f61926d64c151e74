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

/* What a worker holds that was killed goes back, or to the dead letters. */
inline give_back(a, k, t, d) {
  if
  :: d + 1 >= DELIVERY_LIMIT -> dead_queue ! a, k
  :: else -> chunk_queue ! a, k, t, d + 1
  fi
}

/* Holds one chunk at a time. What happens in one step here happens unseen by the others: they see a chunk taken, results
 * arrive, and a chunk come back. */
proctype Worker() {
  byte a, k, t, d, stem;
  bool good;
end:
  do
  :: atomic {
       chunk_queue ? a, k, t, d ->
       if
       :: a != attempt || state != SEPARATING -> a = 0; k = 0; t = 0; d = 0; goto end /* a notice has come */
       :: true
       fi
     };
     atomic {
#ifdef POISON
       if
       :: k == 0 -> give_back(a, k, t, d); goto next
       :: else
       fi;
#endif
       good = true;
#ifdef STUBBORN
       good = (k != 0);
#endif
       if
       :: throws > 0 -> throws--; good = false
       :: true
       fi;
       stem = 0;
       do
       :: stem < STEMS ->
          if
          :: result_queue ! a, k, stem, t, good -> stem = (good -> stem + 1 : STEMS)
          :: MAY_FAIL -> FAIL; give_back(a, k, t, d); goto next /* killed before, or between two stems */
          fi
       :: else -> break
       od;
       if
       :: MAY_FAIL -> FAIL; give_back(a, k, t, d) /* killed before the acknowledgement: all of it comes again */
       :: true
       fi;
next:
       a = 0; k = 0; t = 0; d = 0; stem = 0; good = false
     }
  od
}

inline end_as(how) {
  state = how;
  news_retry = 0
}

/* The assembler is killed: the stream is gone, and at its start it cuts the joined files to what the record says. */
inline assembler_dies() {
  FAIL;
  at_hand = false;
  connected = false;
  news_retry = 0;
#ifndef BREAK_CUT
  i = joined;
  do
  :: i < CHUNKS -> in_file[i] = 0; i++
  :: else -> break
  od;
#endif
  i = 0
}

inline take_samples() {
  if
#ifndef BREAK_DUPLICATES
  :: (stored[k] & (1 << stem)) != 0 -> skip
  :: else ->
#else
  :: else ->
#endif
#ifdef BREAK_DUPLICATES
     /* Counts results instead of telling them apart. */
     stored[k] = (stored[k] << 1) | 1;
#else
     stored[k] = stored[k] | (1 << stem);
#endif
     origin[k] = a
  fi
}

inline take_failure() {
  if
  :: t < tries[k] || stored[k] == ALL_STEMS -> skip /* told before, or computed meanwhile */
  :: else ->
     if
     :: tries[k] < MAX_TRIES ->
        tries[k]++;
        if
        :: connected -> news_retry = news_retry | (1 << k)
        :: else
        fi
     :: else -> end_as(FAILED)
     fi
  fi
}

proctype Assembler() {
  byte a, k, stem, t, i;
  bool good;
end:
  do
  :: atomic {
       !at_hand && nempty(result_queue) -> /* delivered, not acknowledged */
       result_queue ? < a, k, stem, t, good >;
       at_hand = true;
#ifdef BREAK_ACKNOWLEDGEMENT
       result_queue ? a, k, stem, t, good;
       if
       :: MAY_FAIL -> assembler_dies(); goto next
       :: true
       fi;
#endif
       if
#ifdef BREAK_ATTEMPTS
       :: state == SEPARATING ->
#else
       :: a == attempt && state == SEPARATING ->
#endif
          if
          :: good -> take_samples()
          :: else -> take_failure()
          fi
       :: else
       fi;
#ifdef BREAK_ACKNOWLEDGEMENT
       at_hand = false;
#endif
next:
       a = 0; k = 0; stem = 0; t = 0; good = false
     }
#ifndef BREAK_ACKNOWLEDGEMENT
  :: atomic { at_hand -> result_queue ? a, k, stem, t, good; at_hand = false; a = 0; k = 0; stem = 0; t = 0; good = false }
  :: atomic { at_hand && MAY_FAIL -> assembler_dies() } /* recorded, not acknowledged: it comes again */
#endif
  :: atomic { state == SEPARATING && joined < CHUNKS && stored[joined] == ALL_STEMS -> in_file[joined]++ };
     if
     :: atomic { MAY_FAIL -> assembler_dies() } /* joined, not recorded */
     :: atomic {
          state == SEPARATING && joined < CHUNKS && stored[joined] == ALL_STEMS ->
          joined++;
          if
          :: joined == CHUNKS -> state = FINISHING
          :: else
          fi
        }
     :: state != SEPARATING || joined == CHUNKS || stored[joined] != ALL_STEMS -> skip /* cancelled in between */
     fi
  :: state == FINISHING ->
     if
     :: atomic { MAY_FAIL -> assembler_dies() } /* files half written: written anew */
     :: atomic {
          state == FINISHING ->
          i = 0;
          do
          :: i < CHUNKS ->
             assert(in_file[i] == 1);
             assert(stored[i] == ALL_STEMS);
             assert(origin[i] == attempt);
             i++
          :: else -> break
          od;
          i = 0;
          end_as(SUCCEEDED)
        }
     :: state != FINISHING -> skip
     fi
  od
}

/* What the assembler says is missing, with the number of the try. */
inline snapshot() {
  to_send = 0;
  sent_attempt = attempt;
  i = 0;
  do
  :: i < CHUNKS ->
     if
     :: state == SEPARATING && stored[i] != ALL_STEMS -> to_send = to_send | (1 << i); sent_try[i] = tries[i]
     :: else
     fi;
     i++
  :: else -> break
  od;
  i = 0;
  news_retry = 0;
  connected = true
}

/* It keeps what it has already sent and what it has still to send. */
inline splitter_dies() {
  FAIL;
  connected = false;
  news_retry = 0;
  to_send = 0
}

proctype Splitter() {
  byte a, k, i;
  bool known; /* whether this process has ever had a snapshot */
end:
  do
  :: atomic {
       !connected ->
#ifdef BREAK_SNAPSHOT
       if
       :: !known -> snapshot()
       :: else -> connected = true
       fi;
#else
       snapshot();
#endif
       known = true
     }
  :: atomic {
       connected && to_send != 0 && len(chunk_queue) < WINDOW ->
       k = 0;
       do
       :: (to_send & (1 << k)) == 0 -> k++
       :: else -> break
       od;
       chunk_queue ! sent_attempt, k, sent_try[k], 0;
       if
       :: to_send = to_send & (ALL_CHUNKS - (1 << k)) /* confirmed */
       :: MAY_FAIL -> splitter_dies(); known = false
       fi;
       k = 0
     }
  :: atomic {
       connected && news_retry != 0 ->
       k = 0;
       do
       :: (news_retry & (1 << k)) == 0 -> k++
       :: else -> break
       od;
       news_retry = news_retry & (ALL_CHUNKS - (1 << k));
       to_send = to_send | (1 << k);
       sent_try[k] = tries[k];
       k = 0
     }
  :: atomic { connected && (state != SEPARATING || attempt != sent_attempt) && to_send != 0 -> to_send = 0 } /* ended */
  :: atomic {
       dead_queue ? < a, k > ->
       if
       :: a == attempt && state == SEPARATING -> end_as(FAILED)
       :: else
       fi;
       if
       :: dead_queue ? a, k
       :: MAY_FAIL -> splitter_dies(); known = false /* told, not acknowledged: told again */
       fi;
       a = 0; k = 0
     }
#ifndef BREAK_STALL
  :: atomic { timeout && state == SEPARATING && to_send == 0 -> snapshot() }
#endif
  :: atomic { MAY_FAIL && connected -> FAIL; connected = false; news_retry = 0 } /* the stream breaks */
  :: atomic { MAY_FAIL && to_send != 0 -> splitter_dies(); known = false }
  od
}

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
