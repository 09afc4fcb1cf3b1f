import '../check-node-version.js';

const { exitOnSignals } = await import('../signals.js');
exitOnSignals();

const { handleArguments } = await import('../command-line.js');
handleArguments(`Usage: node dist/src/seed/seed.js

Fills an empty database with sample data. A database that is not empty stays as it is. The settings are those of the
service.`);

const { seed } = await import('./create-sample-data.js');
await seed();
