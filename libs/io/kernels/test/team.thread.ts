import { runTeamThread } from '../src/team-thread.ts';

/** A thread that computes beside the one that serves. */
runTeamThread();
