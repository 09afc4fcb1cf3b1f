import { Allow } from 'class-validator';

/** Accepts and ignores a field that only the service sets, so that a client can send back what it has read. */
export const IsReadOnly = Allow;
