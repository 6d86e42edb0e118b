import { main } from './main.ts';

// Ended outright: streams of a container that this process no longer needs must not keep it alive.
process.exit(await main(process.argv.slice(2)));
