/* The assembler: see separation.pml. */

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
