// The page of `jwtauth playground`, driven in Chromium. No test sleeps: each waits for a condition of the page.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { mkdirSync } from 'node:fs';

import { Playground, countingServer, openBrowser, observe } from './setup.mjs';

const screenshots = `${process.env.TARGET}/playground`;
const ready = 'main[aria-busy=false]';
const at = '2026-01-31T12:00:00Z';

let playground;
let outside;
let browser;
let seen = [];

before(async () => {
  mkdirSync(screenshots, { recursive: true });
  playground = await Playground.start();
  outside = await countingServer();
  browser = await openBrowser(outside.port);
});

after(async () => {
  await browser?.close();
  await outside?.close();
  playground?.stop();
});

// Whatever a test does, the page reports no error, violates no policy and sends requests only to its own server.
afterEach(() => {
  for (const { problems, origins } of seen) {
    assert.deepEqual(problems, []);
    assert.deepEqual([...origins].filter(origin => origin !== playground.origin && origin !== 'null'), []);
  }
  assert.equal(outside.count(), 0, 'requests that left loopback');
  seen = [];
});

async function openPage(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  seen.push(observe(page));
  await page.goto(options.url ?? playground.url);
  await page.waitForSelector(ready);
  return page;
}

// Writes into a field, and waits for the reply to it.
async function write(page, field, text) {
  await page.fill(field, text);
  await page.waitForSelector(ready);
}

const decision = page => page.innerText('#decision');

const native = async page => {
  await page.selectOption('#example', 'Native');
  await page.waitForSelector(ready);
  await write(page, '#at', at);
  return page.inputValue('#config');
};

test('every example grants its token, and would grant its claims', async () => {
  const page = await openPage();
  const examples = await page.locator('#example option').allInnerTexts();
  assert.deepEqual(examples, ['Grafana', 'Consul', 'Vault', 'Native']);
  for (const example of examples) {
    await page.selectOption('#example', example);
    await page.waitForSelector(ready);
    await write(page, '#at', at);
    assert.equal(await decision(page), 'Granted', example);
    assert.match(await page.innerText('#dialect'), new RegExp(example));
    await page.check('[name=kind][value=claims]');
    await page.waitForSelector(ready);
    assert.match(await decision(page), /^Would be granted\s*dry run/, example);
    await page.check('[name=kind][value=token]');
    await page.waitForSelector(ready);
  }
});

test('a denial becomes a grant after an edit', async () => {
  const page = await openPage();
  const config = JSON.parse(await native(page));
  config.config.audiences = ['other'];
  await write(page, '#config', JSON.stringify(config, null, 2));
  assert.match(await decision(page), /^Denied\s*audience_mismatch: /);
  const failed = page.locator('[role=treeitem].failed:not(.stage):not(.informative)');
  assert.match(await failed.innerText(), /audience/);
  assert.equal(await failed.getAttribute('aria-expanded'), 'true');
  // One typed word.
  await page.locator('#config').evaluate(field => {
    const start = field.value.indexOf('"other"');
    field.focus();
    field.setSelectionRange(start, start + '"other"'.length);
  });
  await page.keyboard.type('"example"');
  await page.waitForSelector(ready);
  assert.equal(await decision(page), 'Granted');
  assert.match(await page.innerText('#facts'), /alice@example\.com/);
});

test('a forged token is denied, and its time line is shown', async () => {
  const page = await openPage();
  await native(page);
  const token = await page.inputValue('#token');
  const [header, , signature] = token.split('.');
  const claims = Buffer.from(JSON.stringify({ iss: 'https://issuer.example', nbf: 1769860000, exp: 1769860900 }));
  await write(page, '#token', `${header}.${claims.toString('base64url')}.${signature}`);
  assert.match(await decision(page), /^Denied\s*signature_invalid: /);
  const times = await page.innerText('#times');
  for (const expected of ['nbf', 'exp', '2026-01-31T12:01:40Z, in 1 minute', 'now\n2026-01-31T12:00:00Z']) {
    assert.ok(times.includes(expected), `${expected}: ${times}`);
  }
  assert.deepEqual(await page.locator('#time-line text').allTextContents(), ['nbf', 'exp', 'now']);
});

test('a reply to an older question is dropped', async () => {
  const page = await openPage();
  await native(page);
  let release;
  const held = new Promise(resolve => { release = resolve; });
  let first = true;
  await page.route('**/api/explain', async route => {
    const wait = first;
    first = false;
    const response = await route.fetch();
    if (wait) await held;
    await route.fulfill({ response });
  });
  const asked = page.waitForRequest('**/api/explain');
  await page.fill('#token', 'older');
  await asked;
  const newer = page.waitForResponse(response => response.request().postDataJSON().token === 'newer.newer.newer');
  await page.fill('#token', 'newer.newer.newer');
  await newer;
  await page.waitForSelector(ready);
  const shown = await decision(page);
  assert.match(shown, /header_invalid|token_malformed/);
  const older = page.waitForResponse(response => response.request().postDataJSON().token === 'older');
  release();
  await older;
  assert.equal(await decision(page), shown);
  await page.unroute('**/api/explain');
});

test('expressions have a live result', async () => {
  const page = await openPage();
  await page.selectOption('#example', 'Consul');
  await page.waitForSelector(ready);
  await write(page, '#jmespath', "contains(groups, 'operators') && 'Admin' || role");
  assert.equal(await page.innerText('#jmespath-result'), '"Admin"');
  await write(page, '#jmespath', 'groups[');
  assert.match(await page.innerText('#jmespath-result'), /line 1, column 8/);
  await write(page, '#selector', 'operators in list.groups');
  assert.match(await page.innerText('#selector-result'), /selects the caller[^]*list\.groups = \["engineering","operators"\]/);
  await write(page, '#selector', 'sales in list.groups');
  assert.match(await page.innerText('#selector-result'), /does not select the caller/);
});

test('a hint says what to change, and the tree shows the parts of an expression', async () => {
  const page = await openPage();
  const config = JSON.parse(await native(page));
  config.config.audiences = ['example/'];
  await write(page, '#config', JSON.stringify(config, null, 2));
  assert.match(await page.innerText('#hints li'), /slash[^]*audiences/);
  await write(page, '#config', JSON.stringify({ ...config, config: { ...config.config, audiences: ['example'] } }));
  assert.equal(await page.locator('#hints li').count(), 0);
  await page.locator('[data-path^="decide/role/"]').first().click();
  const parts = page.locator('[data-path^="decide/role/"][data-path*="part"]');
  assert.match(await parts.first().innerText(), /contains\(groups, 'operators'\)/);
});

test('findings lead to their lines', async () => {
  const page = await openPage();
  const example = await page.inputValue('#config');
  const lead = async (config, severity) => {
    await write(page, '#config', config);
    const finding = page.locator(`#findings .${severity} button`).first();
    const line = Number((await finding.innerText()).replace('Line ', ''));
    assert.equal(await page.locator(`#gutter .${severity}`).first().innerText(), String(line));
    await finding.click();
    return page.locator('#config').evaluate((field, line) => {
      if (document.activeElement !== field) return 'no focus';
      const before = field.value.slice(0, field.selectionStart);
      if (before.split('\n').length !== line) return 'another line';
      return field.value.slice(field.selectionStart, field.selectionEnd);
    }, line);
  };
  assert.equal(await lead(example.replace('enabled = true', 'enabled = true\nurl_login = true'), 'warning'), 'true');
  assert.equal(await lead(example.replace('enabled = true', 'enabled = true\n[broken'), 'error'), '[broken');
});

test('the page is used with the keyboard alone', async () => {
  const page = await openPage();
  const focused = () => page.evaluate(() => {
    const element = document.activeElement;
    const shown = element.closest('.choice label, .editor') ?? element;
    const style = getComputedStyle(shown);
    return {
      name: element.id || element.value || element.dataset.path,
      visible: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    };
  });
  const order = [];
  for (;;) {
    await page.keyboard.press('Tab');
    const { name, visible } = await focused();
    order.push(name);
    assert.ok(visible, `the focus on ${name} is visible`);
    if (name === 'extract') break;
    assert.ok(order.length < 30, `the tree is reached: ${order}`);
  }
  assert.deepEqual(order.filter(name => name), ['example', 'config', 'token', 'token', 'profile', 'at', 'address',
    'show-values', 'jmespath', 'selector', 'extract'].toSpliced(8, 0, ...order.filter(name => name === 'content')));

  // The tree: one stop of the Tab key, and arrows inside.
  const path = async key => {
    await page.keyboard.press(key);
    return page.evaluate(() => document.activeElement.dataset.path);
  };
  const open = () => page.evaluate(() => document.activeElement.getAttribute('aria-expanded'));
  assert.equal(await path('ArrowDown'), 'extract/request//1');
  assert.equal(await path('ArrowLeft'), 'extract');
  assert.equal(await path('ArrowLeft'), 'extract');
  assert.equal(await open(), 'false');
  assert.equal(await path('ArrowDown'), 'decode');
  assert.equal(await path('Home'), 'extract');
  assert.equal(await path('Enter'), 'extract');
  assert.equal(await open(), 'true');
  assert.equal(await path('End').then(name => name.split('/')[0]), 'decide');
  assert.equal(await path('v'), 'verify_signature');

  // The choice between token and claims: arrows, as in every group of radio buttons.
  await page.focus('[name=kind]:checked');
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector(ready);
  assert.match(await decision(page), /^Would be granted/);
  assert.equal(await page.isVisible('#claims'), true);
  await page.keyboard.press('Tab');
  assert.equal((await focused()).name, 'claims');
  // What was opened and closed by hand stays so.
  assert.equal(await page.locator('[data-path=extract]').getAttribute('aria-expanded'), 'true');
});

test('nothing of the token is in the address, the title or a storage', async () => {
  const page = await openPage();
  const token = await page.inputValue('#token');
  await write(page, '#token', `${token} `);
  const kept = await page.evaluate(async () => [location.href, document.title, document.cookie, { ...localStorage },
    { ...sessionStorage }, history.state, await indexedDB.databases()]);
  assert.deepEqual(kept, [playground.url, 'jwtauth playground', '', {}, {}, null, []]);
});

test('a page with another key says what to do', async () => {
  const page = await openPage({ url: `${playground.origin}/#another-key` });
  assert.match(await page.innerText('#problem'), /open the address that the program printed/);
  // Chromium writes the refused request to the console.
  const { problems } = seen.pop();
  assert.equal(problems.length, 1);
  assert.match(problems[0], /403/);
});

test('keys are fetched only with --fetch, and once for a configuration', async () => {
  const keys = await countingServer('{"keys":[]}');
  const config = JSON.stringify({
    dialect: 'native',
    config: { keys: [{ jwks_url: `http://127.0.0.1:${keys.port}/keys`, insecure_http: true }], algorithms: ['RS256'] },
  });
  const page = await openPage();
  const token = await page.inputValue('#token');
  await write(page, '#config', config);
  assert.match(await decision(page), /^Not decided[^]*--fetch/);
  assert.equal(keys.count(), 0);

  const fetching = await Playground.start('--fetch');
  try {
    const context = await browser.newContext();
    const other = await context.newPage();
    await other.goto(fetching.url);
    await other.waitForSelector(ready);
    for (const [field, text] of [['#config', config], ['#token', `${token} `], ['#profile', 'x'], ['#token', token]]) {
      await write(other, field, text);
    }
    assert.equal(keys.count(), 1);
  } finally {
    fetching.stop();
    await keys.close();
  }
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 1920]) {
    test(`the page fits and is accessible: ${colorScheme}, ${width} px`, async () => {
      const page = await openPage({ colorScheme, viewport: { width, height: 1000 }, reducedMotion: 'reduce' });
      await native(page);
      await write(page, '#jmespath', 'groups');
      await write(page, '#selector', 'operators in list.groups');
      const problems = async state => {
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${state}: ${wide} px too wide`);
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        const shown = violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' ')}`);
        assert.deepEqual(shown, [], state);
        await page.screenshot({ path: `${screenshots}/${state}-${colorScheme}-${width}.png`, fullPage: true });
      };
      await page.evaluate(observe.axe);
      await problems('granted');
      await page.check('[name=kind][value=claims]');
      const claims = JSON.parse(await page.inputValue('#claims'));
      await write(page, '#claims', JSON.stringify({ ...claims, aud: 'other', nbf: claims.exp - 90 }, null, 2));
      await page.check('#show-values');
      await page.waitForSelector(ready);
      await problems('denied');
      await page.selectOption('#example', 'Vault');
      await write(page, '#config', (await page.inputValue('#config')).replace('"bound_issuer"', '"bound_isuer"'));
      await problems('invalid');
    });
  }
}

test('a request that leaves loopback would be counted', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto('data:text/html,<title>outside</title>');
  await page.evaluate(() => fetch('http://outside.example/').catch(() => {}));
  assert.equal(outside.count(), 1);
  outside.reset();
});
