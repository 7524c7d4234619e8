// What is done on a page before it is looked at: forms that come back with what is wrong with them, what opens above a page.
import { awake, press } from './browser.mjs';

/** A policy with a bit of everything. */
const policy = `name: careful
description: What pays our wages is looked at by two.
activation:
  approvals: 2
groups:
  sre: [admin, a.lindqvist]
  dba: ["role:operator"]
freezes:
  - name: weekend
    weekly: { from: "Fri 18:00", to: "Mon 06:00" }
rules:
  - name: known-remedy
    grant: automatic
    match:
      risk: low
      confidence: { at_least: 0.9 }
      measured_success: { at_least: 0.95, runs: 20 }
      when: origin == "model" && !namespaces.exists(n, n.startsWith("kube-"))
  - name: production
    why: It pays our wages.
    match:
      environment: prod*
    approvals: { need: 2, of: [sre, dba], count: groups, last_editor_counts: false }
    expires: 30m
    freeze: weekend
    cool_down: 10m
  - name: everything-else
    approvals: 1
`;

/** Forms that came back or led on; nothing of them changes another page. `open` is a recommendation that can be decided. */
export const forms = (open) => [
  ['form-reject', `/recommendations/${open.id}`, {
    status: 422,
    act: async (page) => {
      const answer = await press(page, 'Reject');
      await page.locator('#f-reason-error').waitFor();
      return answer;
    },
  }],
  ['form-parameter', `/recommendations/${open.id}`, {
    status: 422,
    act: async (page) => {
      await page.getByText('Edit parameters').click();
      await page.fill('[name="p.TARGET_RESOURCE_NAME"]', '$(x)');
      const answer = await press(page, 'Make a new ticket');
      await page.locator('#f-p-TARGET_RESOURCE_NAME-error').waitFor();
      return answer;
    },
  }],
  ['form-other-ticket', `/recommendations/${open.id}`, {
    status: 409,
    act: async (page) => {
      await page.getByText('Edit parameters').click();
      await page.fill('[name="p.SCALE_TARGET_REPLICAS"]', '2');
      const answer = await press(page, 'Approve');
      await page.locator('form.decide [role=alert]').waitFor();
      return answer;
    },
  }],
  ['policy-checked', '/settings/policies', {
    act: async (page) => {
      await page.fill('[name=yaml]', policy);
      const answer = await press(page, 'Check');
      await page.getByText('It can be read.').waitFor();
      return answer;
    },
  }],
  ['policy-refused', '/settings/policies', {
    status: 422,
    act: async (page) => {
      await page.fill('[name=yaml]', policy.replaceAll('approvals: ', 'aprovals: ').replace('prod*', '[]'));
      const answer = await press(page, 'Keep');
      await page.getByRole('alert').waitFor();
      return answer;
    },
  }],
  ['policy-kept', '/settings/policies', {
    act: async (page) => {
      await page.fill('[name=yaml]', policy);
      return press(page, 'Keep');
    },
  }],
  ['policy-tried', '/settings/policies', {
    act: async (page) => {
      await page.fill('[name=yaml]', policy);
      await press(page, 'Keep');
      await page.getByRole('link', { name: /^Try it/ }).click();
      await page.getByRole('table', { name: 'Decisions that would have been others' }).waitFor();
    },
  }],
  ['form-register', '/catalog/new', {
    status: 422,
    act: async (page) => {
      const answer = await press(page, 'Register');
      await page.getByRole('alert').waitFor();
      return answer;
    },
  }],
];

/** What opens above a page, and a secret that is shown once. */
export const shownAbove = [
  ['palette', '/runs', {
    act: async (page) => {
      await awake(page);
      await page.locator('[data-palette]').click();
      await page.locator('#palette-hits [role=option]').first().waitFor();
    },
  }],
  ['palette-none', '/runs', {
    act: async (page) => {
      await awake(page);
      await page.keyboard.press('Control+k');
      await page.keyboard.type('xyzzy plugh');
      await page.locator('#palette-none').waitFor();
    },
  }],
  ['keys', '/runs', {
    act: async (page) => {
      await awake(page);
      await page.keyboard.press('?');
      await page.locator('#keys-help kbd').first().waitFor();
    },
  }],
  ['secret-once', '/settings/tokens', {
    status: 201,
    act: async (page) => {
      await page.fill('#new [name=name]', 'shown-once');
      await page.check('[name="role.viewer"]');
      const answer = await press(page, 'Make the token');
      await page.locator('.once').waitFor();
      return answer;
    },
  }],
];
