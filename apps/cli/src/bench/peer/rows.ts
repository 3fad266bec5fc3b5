import { median } from '../statistics.ts';
import { METRICS, type PeerMetricName, type PeerSample } from './metrics.ts';

/** The same things measured on both sides, in turns. */
export interface PeerRound {
  readonly ours: PeerSample;
  readonly peer: PeerSample;
}

/** As the JSON file holds it. */
export interface PeerRow {
  readonly name: PeerMetricName;
  readonly unit: string;
  /** Medians over the rounds. */
  readonly ours: number;
  readonly peer: number;
  /** Ours to the peer's within each round: the median, the smallest and the largest. Of rates more is better, of times and memory less. */
  readonly ratio: number;
  readonly min: number;
  readonly max: number;
}

/** One row for each metric that every round has on both sides. */
export function peerRows(rounds: readonly PeerRound[]): PeerRow[] {
  return METRICS.flatMap(({ name, unit }) => {
    const ours = rounds.flatMap((round) => round.ours[name] ?? []);
    const peer = rounds.flatMap((round) => round.peer[name] ?? []);
    if (rounds.length === 0 || ours.length < rounds.length || peer.length < rounds.length) return [];
    const ratios = ours.map((value, index) => value / peer[index]!);
    return [{ name, unit, ours: median(ours), peer: median(peer), ratio: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) }];
  });
}
