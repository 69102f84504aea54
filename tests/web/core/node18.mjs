// What browsers have and Node 18 keeps elsewhere. Imported first.
import { File as NodeFile } from 'node:buffer';
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
globalThis.File ??= NodeFile;
