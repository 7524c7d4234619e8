// The whole job before WebAssembly has loaded, or without it, on a phone: plain pages and plain forms.
import { job } from './lib/job.mjs';

job({ javascript: false, phone: true });
