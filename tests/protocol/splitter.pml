/* The splitter: see separation.pml. */

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
