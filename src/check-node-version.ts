/*
 * Exits with one line if Node.js is too old. A script imports this file before it imports anything else dynamically, as
 * an older Node.js cannot load the rest. For the same reason, this file imports nothing.
 */

/** The same version is in package.json, under `engines`. */
const [MAJOR, MINOR] = [20, 19];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < MAJOR || (major === MAJOR && minor < MINOR)) {
  console.error(`Node.js ${MAJOR}.${MINOR} or newer is required; this is ${process.versions.node}.`);
  process.exit(1);
}
