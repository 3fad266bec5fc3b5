/** Nanoseconds of processor time that this process takes for some work, garbage collection included. Unlike time on the clock it does not count what others do meanwhile. */
export async function processorNs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1_000;
}
