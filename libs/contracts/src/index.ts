/** Types and descriptors generated from proto/: `npm run proto` writes them. Only libs/io/rpc imports this. */
export * as clusterV1 from './gen/essaim/cluster/v1/control_plane_pb.ts';
export * as generationV1 from './gen/essaim/generation/v1/generation_pb.ts';
export * as healthV1 from './gen/grpc/health/v1/health_pb.ts';
export * as inferenceV1 from './gen/essaim/inference/v1/inference_pb.ts';
export * as workerV1 from './gen/essaim/worker/v1/worker_pb.ts';
