import { runTeamThread } from '@essaim/kernels';

/** A thread that computes beside the one that measures. */
runTeamThread();
