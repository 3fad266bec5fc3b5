/** Clusters that serve the same model, the one process that the others are held against first. */
export const SIDES = [
  { name: 'one', workers: 1 },
  { name: 'two', workers: 2 },
  { name: 'four', workers: 4 },
] as const;
export type Side = (typeof SIDES)[number];
export type SideName = Side['name'];

/** Two workers have together as many as the one; four have more in all. */
export const threadsEach = ({ workers }: Side, threadsPerWorker: number): number => (workers === 1 ? 2 * threadsPerWorker : threadsPerWorker);
