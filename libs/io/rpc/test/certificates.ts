import { type ClusterAuthority, type ClusterRole, createClusterAuthority, issueCertificate } from '@essaim/auth';
import { type TlsMaterial } from '../src/index.ts';

export interface TestCluster {
  readonly authority: ClusterAuthority;
  readonly 'control-plane': TlsMaterial;
  readonly gateway: TlsMaterial;
  readonly worker: TlsMaterial;
}

/** An authority and a certificate for each role, made anew: no test needs a key on disk. */
export async function createTestCluster(): Promise<TestCluster> {
  const now = new Date();
  const authority = await createClusterAuthority({ now });
  const issue = (role: ClusterRole): Promise<TlsMaterial> => issueCertificate(authority, { role, name: `${role}-1`, now });
  return { authority, 'control-plane': await issue('control-plane'), gateway: await issue('gateway'), worker: await issue('worker') };
}
