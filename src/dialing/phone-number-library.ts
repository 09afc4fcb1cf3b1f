import { createRequire } from 'node:module';
import type * as Library from 'libphonenumber-js/max';

export type { CountryCode } from 'libphonenumber-js/max';

// class-validator has already loaded this build. An import would load it a second time, as an ES module.
const require = createRequire(import.meta.url);

/** libphonenumber-js with its `max` metadata; with the smaller ones, it takes more numbers for valid. */
export const { getCountries, getCountryCallingCode, parsePhoneNumberFromString } =
  require('libphonenumber-js/max') as typeof Library;

/** The version of the library and its metadata: it is released anew when the numbering plan of a country changes. */
export const { version: LIBRARY_VERSION } = require('libphonenumber-js/package.json') as { version: string };
