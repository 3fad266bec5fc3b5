/** For people: 1.5 GB, 24 MB. */
export function formatBytes(bytes: number): string {
  const unit = bytes >= 1e9 ? { size: 1e9, name: 'GB' } : { size: 1e6, name: 'MB' };
  return `${(bytes / unit.size).toFixed(bytes >= 10 * unit.size ? 0 : 1)} ${unit.name}`;
}
