import { ApiProperty } from '@nestjs/swagger';
import { type DeviceUse, type ExpertPhase, type LeadPhase, type Microseconds, type WorkerTimes } from '@essaim/core';

/** Microseconds; a leading worker does one of these at a time. */
class LeadTimes implements Microseconds<LeadPhase> {
  @ApiProperty({ type: 'integer', description: 'Choosing what the next step computes' }) readonly schedule!: number;
  @ApiProperty({ type: 'integer', description: 'Everything but the routed experts, with the wait for the device while it runs experts for others' }) readonly dense!: number;
  @ApiProperty({ type: 'integer', description: 'Grouping rows by worker, and summing what came back' }) readonly dispatch!: number;
  @ApiProperty({ type: 'integer', description: 'Its own experts run, whatever else is under way, or wait for those that run for others' }) readonly experts!: number;
  @ApiProperty({ type: 'integer', description: 'Its calls become bytes, and the answers activations' }) readonly serialise!: number;
  @ApiProperty({ type: 'integer', description: 'Its own experts are done; answers of other workers are still missing' }) readonly remote!: number;
  @ApiProperty({ type: 'integer', description: 'Choosing tokens and handing them out' }) readonly sample!: number;
  @ApiProperty({ type: 'integer', description: 'No sequence to lead' }) readonly idle!: number;
}

/** Microseconds, summed over calls of which some ran side by side. */
class ExpertTimes implements Microseconds<ExpertPhase> {
  @ApiProperty({ type: 'integer', description: 'From coming to running, of each call' }) readonly queue!: number;
  @ApiProperty({ type: 'integer', description: 'Running, of calls that run together once' }) readonly compute!: number;
  @ApiProperty({ type: 'integer', description: 'Bytes of other leads become activations, and answers bytes' }) readonly serialise!: number;
}

/** Of a card; of a processor nothing is counted. */
class DeviceTimes implements DeviceUse {
  @ApiProperty({ type: 'integer', description: 'Graphs that were run' }) readonly runs!: number;
  @ApiProperty({ type: 'integer', description: 'Runs of which something comes to the host, so that the worker waits for whatever was asked for before, too' }) readonly answers!: number;
  @ApiProperty({ type: 'integer', description: 'Microseconds in these, from asking to the answer' }) readonly waited!: number;
  @ApiProperty({ type: 'integer', description: 'What runs are fed from the host\'s memory, weights left out' }) readonly uploadedBytes!: number;
  @ApiProperty({ type: 'integer', description: 'What comes back to it' }) readonly downloadedBytes!: number;
}

export class Times implements WorkerTimes {
  @ApiProperty({ type: LeadTimes, description: 'Microseconds by what it did as a lead; they add up to the time that passed' }) readonly lead!: LeadTimes;
  @ApiProperty({ type: ExpertTimes, description: 'Microseconds that calls to its experts, its own included, took' }) readonly expert!: ExpertTimes;
  @ApiProperty({ type: DeviceTimes, description: 'What it asked of its card' }) readonly device!: DeviceTimes;
  @ApiProperty({ type: 'integer', description: 'Steps that it led' }) readonly steps!: number;
}
