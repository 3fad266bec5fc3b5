import { createClusterAuthority, issueCertificate } from '@essaim/auth';
import { type TlsMaterial } from '@essaim/rpc';

export interface Certificates {
  readonly controlPlane: TlsMaterial;
  readonly gateway: TlsMaterial;
  readonly worker: TlsMaterial;
}

/** Made anew: no test needs a key on disk. */
export async function createCertificates(): Promise<Certificates> {
  const now = new Date();
  const authority = await createClusterAuthority({ now });
  const [controlPlane, gateway, worker] = await Promise.all((['control-plane', 'gateway', 'worker'] as const).map((role) => issueCertificate(authority, { role, name: `${role}-1`, now })));
  return { controlPlane: controlPlane!, gateway: gateway!, worker: worker! };
}
