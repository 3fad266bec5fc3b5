import { ApiProperty } from '@nestjs/swagger';
import { type ClusterSnapshot, type Replica } from '@essaim/core';

const REPLICA_STATES = ['loading', 'ready'] as const satisfies readonly Replica['state'][];

class ReplicaView {
  @ApiProperty({ type: String }) readonly worker!: string;
  @ApiProperty({ enum: REPLICA_STATES }) readonly state!: Replica['state'];
}

class ExpertView {
  @ApiProperty({ type: 'integer' }) readonly expert!: number;
  @ApiProperty({ type: [ReplicaView] }) readonly replicas!: readonly ReplicaView[];
}

class LayerView {
  @ApiProperty({ type: 'integer' }) readonly layer!: number;
  @ApiProperty({ type: [ExpertView] }) readonly experts!: readonly ExpertView[];
}

export class PlacementView {
  @ApiProperty({ type: 'integer', description: '0 before the first placement' }) readonly epoch!: number;
  @ApiProperty({ type: [LayerView], description: 'Empty for a dense model' }) readonly layers!: readonly LayerView[];
}

/** What workers and gateways were told last. */
export function placementView(published: ClusterSnapshot | null): PlacementView {
  const layers = (published?.placement ?? []).map((experts, layer) => ({ layer, experts: experts.map((replicas, expert) => ({ expert, replicas })) }));
  return { epoch: published?.epoch ?? 0, layers };
}
