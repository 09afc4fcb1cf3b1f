import './check-node-version.js';

// Before the modules that take long to load.
const { exitOnSignals } = await import('./signals.js');
exitOnSignals();

const { handleArguments } = await import('./command-line.js');
handleArguments(`Usage: node dist/src/main.js

Starts the service. Its settings are environment variables, which can also be in a file named .env beside package.json:
see README.md and .env.example.`);

const { serve } = await import('./serve.js');
await serve();
