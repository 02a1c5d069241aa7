// node.mjs - runs a WASI command under node: node [V8's flags] node.mjs [--dir HOST::GUEST] [--env K=V] FILE [ARGUMENT...]. A peer for bench/run.
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const words = process.argv.slice(2);
const preopens = {}, env = {};
while (words[0]?.startsWith('--')) {
  const [option, value] = words.splice(0, 2);
  if (option === '--dir') {
    const [host, guest] = value.split('::');
    preopens[guest ?? host] = host;
  } else if (option === '--env') {
    const at = value.indexOf('=');
    env[value.slice(0, at)] = value.slice(at + 1);
  } else {
    console.error(`node.mjs: unknown option ${option}`);
    process.exit(2);
  }
}
const wasi = new WASI({ version: 'preview1', args: words, env, preopens, returnOnExit: false });
const module = new WebAssembly.Module(readFileSync(words[0]));
wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
