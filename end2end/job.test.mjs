// The whole job as most people do it: with JavaScript, the run's page following its run.
import { job } from './lib/job.mjs';

job({ javascript: true });
