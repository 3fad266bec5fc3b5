// The decorators inside @peculiar/x509 need this polyfill loaded first.
import 'reflect-metadata';
import {
  BasicConstraintsExtension, ExtendedKeyUsage, ExtendedKeyUsageExtension, type Extension, KeyUsageFlags, KeyUsagesExtension,
  PemConverter, SubjectAlternativeNameExtension, X509Certificate, X509CertificateGenerator,
} from '@peculiar/x509';
import { AppError } from '@essaim/core';
import { type webcrypto } from 'node:crypto';
import { certificateHost } from './host.ts';
import { type ClusterIdentity, identityUri, isIdentityName } from './identity.ts';

/** The key that vouches for every component of one cluster. Its private key is worth the whole cluster: keep it where only the operator reads. */
export interface ClusterAuthority {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** What a component needs to prove who it is and to check who calls it. */
export interface IssuedCertificate {
  readonly caPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface Validity {
  /** The present; certificates hold from five minutes earlier, since clocks of machines differ. */
  readonly now: Date;
  /** Default: ten years for an authority, one for a certificate. */
  readonly days?: number;
}

export interface CertificateRequest extends ClusterIdentity, Validity {
  /** DNS names and IP addresses beside localhost, 127.0.0.1 and ::1 under which the component is reached. */
  readonly hosts?: readonly string[];
}

const KEY: webcrypto.EcKeyGenParams = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE: webcrypto.EcdsaParams = { name: 'ECDSA', hash: 'SHA-256' };
const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '::1'];
const CLOCK_SKEW_MS = 300_000;
const DAY_MS = 86_400_000;

/** A new self-signed authority. */
export async function createClusterAuthority({ now, days = 3650 }: Validity): Promise<ClusterAuthority> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Essaim cluster authority',
    keys,
    signingAlgorithm: SIGNATURE,
    serialNumber: newSerialNumber(),
    ...validityDates(now, days),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificatePem: certificate.toString('pem'), privateKeyPem: await privatePem(keys) };
}

/** A key and a certificate for one component, good for both ends of a connection. Fails with `invalid_argument` for a name or host that no certificate may hold. */
export async function issueCertificate(authority: ClusterAuthority, request: CertificateRequest): Promise<IssuedCertificate> {
  const { role, name, now, days = 365 } = request;
  if (!isIdentityName(name)) throw new AppError('invalid_argument', `a certificate can't name "${name}": use 1 to 64 letters, digits, ".", "_" or "-"`);
  const extensions = componentExtensions(request);
  const keys = await newKeys();
  const issuer = new X509Certificate(authority.certificatePem);
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=essaim ${role}`,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await importPrivateKey(authority.privateKeyPem),
    signingAlgorithm: SIGNATURE,
    serialNumber: newSerialNumber(),
    ...validityDates(now, days),
    extensions,
  });
  return { caPem: authority.certificatePem, certificatePem: certificate.toString('pem'), privateKeyPem: await privatePem(keys) };
}

function componentExtensions(request: CertificateRequest): Extension[] {
  const hosts = [...new Set([...LOOPBACK_HOSTS, ...(request.hosts ?? [])])];
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    new SubjectAlternativeNameExtension([
      { type: 'url', value: identityUri(request) },
      ...hosts.map(certificateHost),
    ]),
  ];
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => crypto.subtle.generateKey(KEY, true, ['sign', 'verify']);

/** 128 random bits; the first nibble is 4, so that the number is positive and never empty. */
const newSerialNumber = (): string => `4${crypto.randomUUID().replaceAll('-', '').slice(1)}`;

const validityDates = (now: Date, days: number): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(now.getTime() - CLOCK_SKEW_MS),
  notAfter: new Date(now.getTime() + days * DAY_MS),
});

async function privatePem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey('pkcs8', privateKey), PemConverter.PrivateKeyTag);
}

const importPrivateKey = (pem: string): Promise<webcrypto.CryptoKey> => crypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), KEY, false, ['sign']);
