// The documentation as a site: its links, its search and its look, in Chromium. No test sleeps, and nothing leaves loopback.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize, relative } from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { countingServer, observe, openBrowser } from '../playground/setup.mjs';

const site = `${process.env.TARGET}/site`;
const screenshots = `${process.env.TARGET}/site-screenshots`;
const files = readdirSync(site, { recursive: true }).filter(name => statSync(join(site, name)).isFile());
const pages = files.filter(name => name.endsWith('.html'));
const text = name => readFileSync(join(site, name), 'utf8');

const TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };

let server;
let origin;
let outside;
let browser;
let seen = [];

before(async () => {
  mkdirSync(screenshots, { recursive: true });
  server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname).slice(1);
    const known = files.includes(name);
    response.writeHead(known ? 200 : 404, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream' });
    response.end(known ? readFileSync(join(site, name)) : '');
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
  outside = await countingServer();
  browser = await openBrowser(outside.port);
});

after(async () => {
  await browser?.close();
  await outside?.close();
  server?.closeAllConnections();
  server?.close();
});

// Whatever a test does, the site reports no error, keeps to its policy and sends requests only to its own server.
afterEach(() => {
  for (const { problems, origins } of seen) {
    assert.deepEqual(problems, []);
    assert.deepEqual([...origins].filter(other => other !== origin), []);
  }
  assert.equal(outside?.count() ?? 0, 0, 'requests that left loopback');
  seen = [];
});

async function openPage(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  seen.push(observe(page));
  await page.goto(`${origin}/${name}`);
  return page;
}

test('every page of the documentation is in the site and in its table of contents', () => {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'docs/*.md'], { encoding: 'utf8' });
  const wanted = tracked.trim().split('\n').map(name => relative('docs', name).replace(/\.md$/, '.html'));
  const contents = /<div class="sidebar-tree">([^]*?)<\/aside>/.exec(text('README.html'))[1];
  const linked = new Set([...contents.matchAll(/href="([^"#]+)"/g)].map(([, target]) => normalize(target)));
  assert.ok(wanted.length > 100, `${wanted.length} pages`);
  assert.deepEqual(wanted.filter(name => !pages.includes(name)), [], 'pages that the site lacks');
  assert.deepEqual(wanted.filter(name => name !== 'README.html' && !linked.has(name)), [], 'pages that the contents lack');
});

test('every link within the site leads somewhere, and nothing is loaded from elsewhere', () => {
  const anchors = new Map(pages.map(name => [name, new Set([...text(name).matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id))]));
  const broken = [];
  let links = 0;
  for (const name of pages) {
    const html = text(name).replace(/<pre>[^]*?<\/pre>/g, '');
    for (const [, tag, address] of html.matchAll(/<(a|link|script|img|form)\s[^>]*?(?:href|src|action)="([^"]*)"/g)) {
      const isElsewhere = /^[a-z]+:/.test(address);
      if (isElsewhere) {
        if (tag !== 'a') broken.push(`${name}: loads ${address}`);
        continue;
      }
      links += 1;
      const [path, anchor] = decodeURIComponent(address.replaceAll('&amp;', '&')).split('#');
      const target = path === '' ? name : normalize(join(dirname(name), path.split('?')[0]));
      if (!files.includes(target)) broken.push(`${name}: ${address}`);
      else if (anchor && anchors.get(target)?.has(anchor) === false) broken.push(`${name}: ${address}`);
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(links > 10_000, `${links} links`);
});

test('the search finds pages without a network', async () => {
  const page = await openPage('index.html');
  await page.fill('input[name=q]', 'repository_id');
  await page.press('input[name=q]', 'Enter');
  await page.waitForSelector('#search-results a[href*="providers/github-actions"]');
  await page.click('#search-results a[href*="providers/github-actions"]');
  await page.waitForSelector('h1');
  assert.match(await page.innerText('h1'), /GitHub Actions/);
});

test('the first page leads to every provider in two steps', async () => {
  const page = await openPage('index.html');
  await page.click('article a[href="providers/README.html"]');
  await page.waitForURL('**/providers/README.html');
  for (const name of ['Keycloak', 'Auth0', 'Microsoft Entra ID', 'Okta', 'Google', 'GitHub Actions', 'GitLab', 'Kubernetes']) {
    assert.equal(await page.locator('article table a', { hasText: new RegExp(`^${name}$`) }).count(), 1, name);
  }
});

const looks = ['index', 'providers/entra-id', 'migration', 'dialects/native', 'lint/README', 'search'];
for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 1920]) {
    test(`the pages fit and are accessible: ${colorScheme}, ${width} px`, async () => {
      for (const name of looks) {
        const page = await openPage(`${name}.html`, { colorScheme, viewport: { width, height: 1000 }, reducedMotion: 'reduce' });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${name}: ${wide} px too wide`);
        await page.evaluate(observe.axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        const shown = violations.map(({ id, nodes }) => `${id} (${nodes.length}): ${nodes[0].html}`);
        assert.deepEqual(shown, [], name);
        await page.screenshot({ path: `${screenshots}/${name.replaceAll('/', '-')}-${colorScheme}-${width}.png` });
        await page.context().close();
      }
    });
  }
}
