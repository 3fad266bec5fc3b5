import { createPrivateKey, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { CLUSTER_ROLES, type ClusterAuthority, createClusterAuthority, identityFromSubjectAltName, issueCertificate } from './index.ts';

// Node's own X.509 is the judge: a reader that we did not write.

const NOW = new Date('2030-01-02T03:04:05Z');
const DAY_MS = 86_400_000;
let authority: ClusterAuthority;

beforeAll(async () => void (authority = await createClusterAuthority({ now: NOW })));

describe('an authority', () => {
  it('signs itself, may sign others, and holds its own key', () => {
    const certificate = new X509Certificate(authority.certificatePem);
    expect(certificate.ca).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(authority.privateKeyPem))).toBe(true);
  });

  it('holds for ten years from five minutes ago, or as long as asked', async () => {
    const lasting = new X509Certificate(authority.certificatePem);
    expect([lasting.validFromDate, lasting.validToDate]).toEqual([new Date(NOW.getTime() - 300_000), new Date(NOW.getTime() + 3650 * DAY_MS)]);
    const short = new X509Certificate((await createClusterAuthority({ now: NOW, days: 2 })).certificatePem);
    expect(short.validToDate).toEqual(new Date(NOW.getTime() + 2 * DAY_MS));
  });

  it('has a key and a serial number of its own each time', async () => {
    const other = await createClusterAuthority({ now: NOW });
    expect(other.privateKeyPem).not.toBe(authority.privateKeyPem);
    expect(new X509Certificate(other.certificatePem).serialNumber).not.toBe(new X509Certificate(authority.certificatePem).serialNumber);
  });
});

describe('a certificate', () => {
  it.each(CLUSTER_ROLES)('of a %s is signed by its authority and no other, and may not sign', async (role) => {
    const issued = await issueCertificate(authority, { role, name: 'n-1', now: NOW });
    const certificate = new X509Certificate(issued.certificatePem);
    const issuer = new X509Certificate(issued.caPem);
    expect(issued.caPem).toBe(authority.certificatePem);
    expect(certificate.checkIssued(issuer)).toBe(true);
    expect(certificate.verify(issuer.publicKey)).toBe(true);
    expect(certificate.verify(new X509Certificate((await createClusterAuthority({ now: NOW })).certificatePem).publicKey)).toBe(false);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkPrivateKey(createPrivateKey(issued.privateKeyPem))).toBe(true);
    expect(identityFromSubjectAltName(certificate.subjectAltName!)).toEqual({ role, name: 'n-1' });
  });

  it('serves and calls, and nothing else', async () => {
    const { certificatePem } = await issueCertificate(authority, { role: 'worker', name: 'w1', now: NOW });
    // OIDs of serverAuth and clientAuth, RFC 5280 section 4.2.1.12.
    expect(new X509Certificate(certificatePem).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  it('is for loopback and for the hosts that were asked for', async () => {
    const hosts = ['node-7.example', '10.0.0.7', '2001:db8::7', '::ffff:10.0.0.8', 'localhost'];
    const certificate = new X509Certificate((await issueCertificate(authority, { role: 'worker', name: 'w1', now: NOW, hosts })).certificatePem);
    expect(['localhost', 'node-7.example'].filter((host) => certificate.checkHost(host) === undefined)).toEqual([]);
    expect(['127.0.0.1', '::1', '10.0.0.7', '2001:db8::7', '::ffff:10.0.0.8'].filter((address) => certificate.checkIP(address) === undefined)).toEqual([]);
    expect(certificate.checkHost('node-8.example')).toBeUndefined();
    expect(certificate.checkIP('10.0.0.9')).toBeUndefined();
  });

  it('holds for a year from five minutes ago, or as long as asked', async () => {
    const dates = async (days?: number): Promise<unknown[]> => {
      const { validFromDate, validToDate } = new X509Certificate((await issueCertificate(authority, { role: 'worker', name: 'w1', now: NOW, ...(days === undefined ? {} : { days }) })).certificatePem);
      return [validFromDate, validToDate];
    };
    const from = new Date(NOW.getTime() - 300_000);
    expect(await dates()).toEqual([from, new Date(NOW.getTime() + 365 * DAY_MS)]);
    expect(await dates(1)).toEqual([from, new Date(NOW.getTime() + DAY_MS)]);
  });

  it.each(['', 'a/b', 'w1,URI:spiffe://essaim/gateway/g1', 'w'.repeat(65)])('is refused for the name %j', async (name) => {
    await expect(issueCertificate(authority, { role: 'worker', name, now: NOW })).rejects.toMatchObject({ name: 'AppError', code: 'invalid_argument', message: expect.stringContaining(`"${name}"`) as string });
  });

  it.each(['node-1:8090', '999.1.1.1', 'a b'])('is refused for the host %j', async (host) => {
    await expect(issueCertificate(authority, { role: 'worker', name: 'w1', now: NOW, hosts: [host] })).rejects.toMatchObject({ name: 'AppError', code: 'invalid_argument', message: expect.stringContaining(`"${host}"`) as string });
  });
});
