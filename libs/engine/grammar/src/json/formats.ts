/** Texts of JSON schema's formats that a pattern can describe, all of them valid, though not always all that are. */
const LABEL = '[A-Za-z0-9]([A-Za-z0-9-]{0,22}[A-Za-z0-9])?';
const HOST = `${LABEL}(\\.${LABEL}){0,7}`;
const BYTE = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const HOUR_AND_MINUTE = '([01][0-9]|2[0-3]):[0-5][0-9]';
/** 29 February is left out: it depends on the year. */
const DATE = '[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))';
const TIME = `${HOUR_AND_MINUTE}:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]${HOUR_AND_MINUTE})`;
const NAME = '[A-Za-z0-9_+-]{1,16}';

export const FORMATS: Readonly<Record<string, string>> = {
  date: DATE,
  time: TIME,
  'date-time': `${DATE}T${TIME}`,
  duration: 'P([0-9]{1,4}W|[0-9]{1,4}Y([0-9]{1,2}M)?([0-9]{1,2}D)?|[0-9]{1,4}M([0-9]{1,2}D)?|([0-9]{1,4}D)?T([0-9]{1,4}H([0-9]{1,2}M)?|[0-9]{1,4}M([0-9]{1,2}S)?|[0-9]{1,4}S)|[0-9]{1,4}D)',
  email: `${NAME}(\\.${NAME}){0,2}@${LABEL}(\\.${LABEL}){1,7}`,
  hostname: HOST,
  ipv4: `${BYTE}(\\.${BYTE}){3}`,
  ipv6: '[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){7}',
  uri: `https?://${HOST}(:[0-9]{2,4})?(/[A-Za-z0-9._~!$&'()*+,;=:@-]*)*(\\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?(#[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?`,
  uuid: '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}',
};
