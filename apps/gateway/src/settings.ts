import { portVariable, textVariable } from '@essaim/process';

/** What a gateway learns from its environment. */
export interface GatewaySettings {
  /** The checkpoint's folder: tokenizer and configuration are read, no weights. */
  readonly modelDirectory: string;
  /** Under which clients ask for the model. */
  readonly modelId: string;
  readonly host: string;
  readonly httpPort: number;
  readonly grpcPort: number;
}

/** Fails with `invalid_argument` that names the variable. */
export const readSettings = (): GatewaySettings => ({
  modelDirectory: textVariable('ESSAIM_MODEL'),
  modelId: textVariable('ESSAIM_MODEL_ID'),
  host: textVariable('ESSAIM_HOST'),
  httpPort: portVariable('ESSAIM_HTTP_PORT'),
  grpcPort: portVariable('ESSAIM_GRPC_PORT'),
});
