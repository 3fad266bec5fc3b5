import { AppError } from '@essaim/core';

/** A host as a certificate's subject alternative name holds it. */
export interface CertificateHost {
  readonly type: 'ip' | 'dns';
  readonly value: string;
}

const DNS_NAME = /^(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/;
/** A last label of digits only: an address or nothing, never a name. */
const ENDS_IN_NUMBER = /(^|\.)\d+$/;
const IPV4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/;
const IPV6_CHARACTERS = /^[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*$/;

/** A DNS name or an IP address without port or brackets. Fails with `invalid_argument` for anything else. */
export function certificateHost(host: string): CertificateHost {
  if (IPV4.test(host)) return { type: 'ip', value: host };
  const ipv6 = parseIpv6(host);
  if (ipv6 !== null) return { type: 'ip', value: ipv6 };
  if (DNS_NAME.test(host) && !ENDS_IN_NUMBER.test(host)) return { type: 'dns', value: host };
  throw new AppError('invalid_argument', `a certificate can't name the host "${host}": give a DNS name or an IP address`);
}

/** In the one form that every reader understands: the certificate library misreads an IPv4 tail. */
function parseIpv6(host: string): string | null {
  const url = IPV6_CHARACTERS.test(host) ? URL.parse(`http://[${host}]`) : null;
  return url === null ? null : url.hostname.slice(1, -1);
}
