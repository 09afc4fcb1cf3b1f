import { Allow } from 'class-validator';

/** Ignores a field that only the service sets, so that what was read can be sent back. */
export const IsReadOnly = Allow;
