import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import dataSource from '../ormconfig.js';
import { toSlug } from '../src/directory/slug.js';
import { expectProblem, request } from './support/api.js';
import { createOrganization, type Organization } from './support/owners.js';

describe('A slug', () => {
  it('is derived from the name', async () => {
    expect(await createOrganization("St. Mary's Kitchen & Pantry")).toMatchObject({
      slug: 'st-marys-kitchen-and-pantry',
    });
  });

  it('identifies its organization in a path', async () => {
    const organization = await createOrganization('Casa Abierta');
    expect(await request('GET', '/v1/organizations/casa-abierta')).toMatchObject({
      status: 200,
      body: organization,
    });
    expect(await request('PUT', '/v1/organizations/casa-abierta', {})).toMatchObject({ body: organization });
    expect(await request('DELETE', '/v1/organizations/casa-abierta')).toMatchObject({ status: 204 });
  });

  it('stays the same when the name changes', async () => {
    const { id, slug } = await createOrganization('Youth Line');
    const renamed = await request('PUT', `/v1/organizations/${id}`, { name: 'Young People’s Line' });
    expect(renamed.body).toEqual({ id, slug, name: 'Young People’s Line' });
  });

  it.each([
    ['211', 'organization-211'],
    ['—', 'organization'],
  ])('is neither empty nor only digits: %s becomes %s', async (name, slug) => {
    expect(await createOrganization(name)).toMatchObject({ slug });
  });

  it('is generated for a name without Latin letters', async () => {
    expect((await createOrganization('食物銀行')).slug).toMatch(/^organization(-[\da-f]{6})?$/);
  });

  it('is read-only', async () => {
    const { body } = await request<Organization>('POST', '/v1/organizations', {
      name: 'Reading Room',
      slug: 'x',
    });
    expect(body.slug).toBe('reading-room');
    const renamed = await request('PUT', '/v1/organizations/reading-room', { slug: 'y', name: 'Library' });
    expect(renamed.body).toEqual({ ...body, name: 'Library' });
  });

  it('is unique even if organizations with the same name are created concurrently', async () => {
    const organizations = await Promise.all(
      Array.from({ length: 30 }, () => createOrganization('Second Harvest')),
    );
    expect(new Set(organizations.map(({ slug }) => slug)).size).toBe(30);
    expect(organizations.map(({ slug }) => slug)).toContain('second-harvest');
    for (const organization of organizations.slice(0, 5)) {
      const { body } = await request<Organization>('GET', `/v1/organizations/${organization.slug}`);
      expect(body).toEqual(organization);
    }
  });

  it('results in 503 when each of five slugs is taken', async () => {
    const { slug } = await createOrganization('Night Shelter');
    await dataSource.query(`
      CREATE FUNCTION take_slug() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          NEW.slug := '${slug}';
          RETURN NEW;
        END
      $$`);
    await dataSource.query(
      `CREATE TRIGGER take_slug BEFORE INSERT ON organizations FOR EACH ROW
       WHEN (NEW.slug LIKE '${slug}%') EXECUTE FUNCTION take_slug()`,
    );
    const response = await request('POST', '/v1/organizations', { name: 'Night Shelter' });
    expectProblem(response, 503, 'No unused slug was found for this name. Retry later.');
    expect(response.headers['retry-after']).toBe('1');
    await dataSource.query('DROP FUNCTION take_slug CASCADE');
  });

  it('is unique among the opportunities of all organizations', async () => {
    const slugs: string[] = [];
    for (let count = 0; count < 2; count++) {
      const { id } = await createOrganization();
      const path = `/v1/organizations/${id}/opportunities`;
      const { body } = await request<Organization>('POST', path, { title: 'Tax Help' });
      slugs.push(body.slug);
    }
    expect(slugs[0]).toBe('tax-help');
    expect(slugs[1]).toMatch(/^tax-help-[\da-f]{6}$/);
  });

  it('contains only lower-case letters, digits and hyphens, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 255 }), (name) => {
        const slug = toSlug(name, 'organization');
        expect(slug).toMatch(/^[a-z\d]+(-[a-z\d]+)*$/);
        expect(slug).toMatch(/[a-z]/);
        expect(slug.length).toBeLessThanOrEqual(93);
      }),
    );
  });
});
