/* The worker: see separation.pml. */

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
