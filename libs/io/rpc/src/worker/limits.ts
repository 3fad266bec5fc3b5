/** Expert calls under way on one stream: more than a lead ever needs, and few enough to bound what both sides hold. */
export const CALLS_PER_STREAM = 128;
