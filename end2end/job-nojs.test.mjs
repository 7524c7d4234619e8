// The whole job before WebAssembly has loaded, or without it: plain pages and plain forms.
import { job } from './lib/job.mjs';

job({ javascript: false });
