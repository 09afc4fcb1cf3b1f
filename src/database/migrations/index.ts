import { CreateDirectory1795000000000 } from './1795000000000-create-directory.js';
import { CreatePhones1795000000001 } from './1795000000001-create-phones.js';
import { CreateClients1795400000000 } from './1795400000000-create-clients.js';
import { CountPhoneVersions1795500000000 } from './1795500000000-count-phone-versions.js';
import { CreateIdempotencyKeys1795500000001 } from './1795500000001-create-idempotency-keys.js';
import { AskForPhonesOfAnOwner1795500000002 } from './1795500000002-ask-for-phones-of-an-owner.js';
import { CountPhonesOfAnOwner1795600000000 } from './1795600000000-count-phones-of-an-owner.js';
import { StoreWhatPhonesDial1795700000000 } from './1795700000000-store-what-phones-dial.js';

/** Every migration, oldest first. */
export const migrations = [
  CreateDirectory1795000000000,
  CreatePhones1795000000001,
  CreateClients1795400000000,
  CountPhoneVersions1795500000000,
  CreateIdempotencyKeys1795500000001,
  AskForPhonesOfAnOwner1795500000002,
  CountPhonesOfAnOwner1795600000000,
  StoreWhatPhonesDial1795700000000,
];
