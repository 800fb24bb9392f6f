// The program, a browser, and a server that counts what should not happen.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

import { chromium } from 'playwright-core';

/** A running `jwtauth playground`. */
export class Playground {
  static async start(...options) {
    const program = spawn(process.env.JWTAUTH, ['playground', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [url] = await Promise.race([
      once(createInterface(program.stdout), 'line'),
      once(program, 'exit').then(() => { throw new Error('the playground has ended'); }),
    ]);
    return Object.assign(new Playground(), { program, url, origin: new URL(url).origin });
  }

  stop() {
    this.program.kill();
  }
}

const once = (emitter, event) => new Promise(resolve => emitter.once(event, (...values) => resolve(values)));

/** A server on loopback that counts its requests. */
export async function countingServer(text = '') {
  let count = 0;
  const saw = ({ url }) => {
    if (!OF_THE_BROWSER.test(url)) count += 1;
  };
  const server = createServer((request, response) => {
    saw(request);
    response.end(text);
  });
  server.on('connect', (request, socket) => {
    saw(request);
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    count: () => count,
    reset: () => { count = 0; },
    close: () => {
      server.closeAllConnections();
      return new Promise(resolve => server.close(resolve));
    },
  };
}

/** Chromium. Every name is unknown to it, and every request to another machine goes to the proxy on this port. */
export function openBrowser(proxy) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    // The sandbox of Chromium does not work for root.
    chromiumSandbox: process.getuid() !== 0,
    args: [
      '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
      `--proxy-server=http://127.0.0.1:${proxy}`,
      ...QUIET,
    ],
  });
}

// What Debian's Chromium asks about itself, whatever page is open.
const OF_THE_BROWSER = /^(http:\/\/)?(accounts\.google\.com|update\.googleapis\.com)[:\/]/;

// Chromium asks servers about the fields of any page, and about itself. That is no part of the page.
const QUIET = [
  '--disable-features=AutofillServerCommunication,OptimizationHints,PreconnectToSearch,NetworkTimeServiceQuerying',
  '--enable-features=SkipListAccountsWithoutGaiaCookies',
  '--disable-component-update',
  '--disable-background-networking',
  '--disable-sync',
];

/** Collects what a page must not do. */
export function observe(page) {
  const seen = { problems: [], origins: new Set() };
  page.on('pageerror', error => seen.problems.push(`error: ${error}`));
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) seen.problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on('request', request => seen.origins.add(new URL(request.url()).origin));
  return seen;
}

/** The source of axe, which checks accessibility. As an expression, because the policy of the page forbids scripts. */
observe.axe = `${readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8')}; undefined`;
