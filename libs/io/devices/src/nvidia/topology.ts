/** links[a][b]: NVLinks that join GPU a and GPU b, by nvidia-smi's indices. */
export type LinkMatrix = ReadonlyMap<number, ReadonlyMap<number, number>>;

/**
 * Reads the matrix of `nvidia-smi topo -m`. Columns are GPUs, then other things such as network cards; a cell NV4 is a pair joined by four
 * NVLinks, directly or through a switch. What is not such a matrix has no links.
 */
export function parseTopology(text: string): LinkMatrix {
  // Some drivers underline the head.
  const rows = text.replace(/\u001b\[[0-9;]*m/g, '').split('\n').map((line) => line.trim().split(/\s+/));
  const head = rows.find(([first]) => first !== undefined && /^GPU\d+$/.test(first)) ?? [];
  const columns = head.filter((name) => /^GPU\d+$/.test(name)).map(indexOf);
  const matrix = new Map<number, Map<number, number>>();
  for (const [name, ...cells] of rows.filter((row) => row !== head && /^GPU\d+$/.test(row[0]!))) {
    const links = cells.slice(0, columns.length).map((cell, column) => [columns[column]!, /^NV\d+$/.test(cell) ? Number(cell.slice(2)) : 0] as const);
    matrix.set(indexOf(name!), new Map(links.filter(([, count]) => count > 0)));
  }
  return matrix;
}

const indexOf = (name: string): number => Number(name.slice('GPU'.length));

/**
 * Bytes per second in one direction of each GPU's active NVLinks together, by nvidia-smi's indices, from `nvidia-smi nvlink -s`. A link that
 * is not trained (`<inactive>`), for want of a bridge or of the fabric manager, counts for nothing.
 */
export function parseLinkSpeeds(text: string): ReadonlyMap<number, number> {
  const speeds = new Map<number, number>();
  let gpu: number | null = null;
  for (const line of text.split('\n')) {
    const named = /^\s*GPU (\d+):/.exec(line);
    const speed = /^\s*Link \d+:\s*([\d.]+) GB\/s/.exec(line);
    if (named) {
      gpu = Number(named[1]);
      speeds.set(gpu, 0);
    } else if (speed && gpu !== null) speeds.set(gpu, speeds.get(gpu)! + Number(speed[1]) * 1e9);
  }
  return speeds;
}
