import type { CreatePhoneDto } from '../phones/dto/create-phone.dto.js';

interface OrganizationSeed {
  name: string;
  phones: CreatePhoneDto[];
  opportunities: { title: string; phones: CreatePhoneDto[] }[];
  locations: { name: string; phones: CreatePhoneDto[] }[];
}

/**
 * Fictitious sample data. The examples in the OpenAPI document refer to its first organization. Apart from short codes,
 * the numbers are from the range that is reserved for fiction (555-01xx), in the many ways people write them.
 */
export const SAMPLE_DATA: OrganizationSeed[] = [
  {
    name: 'Compass Family Services',
    phones: [{ digits: '415-555-0109', phone_type: 'Main' }],
    opportunities: [
      {
        title: 'Rental Assistance',
        phones: [
          { digits: '415-555-0110', phone_type: 'Intake' },
          { digits: '855-555-0111', phone_type: 'After hours' },
        ],
      },
    ],
    locations: [{ name: 'Central City Office', phones: [{ digits: '(415)555-0112' }] }],
  },
  {
    name: 'Alder County 211',
    phones: [
      { digits: '211', phone_type: 'Short code' },
      { digits: '1-800-555-0100', phone_type: 'Toll-free' },
    ],
    opportunities: [
      { title: 'Information and Referral', phones: [{ digits: '(650) 555-0101', phone_type: 'Main' }] },
    ],
    locations: [{ name: 'Call Center', phones: [{ digits: '650.555.0102', phone_type: 'Office' }] }],
  },
  {
    name: 'Harbor Food Bank',
    phones: [
      { digits: '650-555-0103', phone_type: 'Main' },
      { digits: '650-555-0104', phone_type: 'Fax' },
    ],
    opportunities: [
      { title: 'Groceries to Go', phones: [{ digits: '650-555-0105 x 12', phone_type: 'Intake' }] },
      { title: 'Senior Lunch', phones: [{ digits: '650-555-0106 ext. 3' }] },
    ],
    locations: [
      {
        name: 'Pier Street Warehouse',
        phones: [
          { digits: '+1 650 555 0107', phone_type: 'Loading dock', is_primary: false },
          { digits: '650 555 0108', phone_type: 'Volunteers', is_primary: true },
        ],
      },
    ],
  },
  {
    name: 'Willow Free Clinic',
    phones: [
      { digits: '650-555-0113', phone_type: 'Appointments' },
      { digits: '1.650.555.0114', phone_type: 'Nurse line' },
    ],
    opportunities: [
      { title: 'Dental Care', phones: [{ digits: '650-555-0115 (Spanish: 0116)', phone_type: 'Main' }] },
    ],
    locations: [
      { name: 'Willow Road Clinic', phones: [{ digits: '650/555-0117', phone_type: 'Front desk' }] },
      { name: 'Mobile Clinic', phones: [{ digits: '650-555-0118', phone_type: 'Driver' }] },
    ],
  },
  {
    name: 'Shelter Network of the Coast',
    phones: [{ digits: '1-888-555-0119', phone_type: 'Hotline' }],
    opportunities: [
      { title: 'Emergency Shelter', phones: [{ digits: '1-888-555-0119', phone_type: 'Hotline' }] },
    ],
    locations: [{ name: 'Coast House', phones: [{ digits: '650-555-0120', phone_type: 'Front desk' }] }],
  },
  {
    name: 'Legal Aid of Alder County',
    phones: [
      { digits: '650-555-0121', phone_type: 'Main' },
      { digits: '711', phone_type: 'TTY relay' },
    ],
    opportunities: [{ title: 'Tenant Rights Clinic', phones: [{ digits: '650-555-0122, press 2' }] }],
    locations: [{ name: 'Courthouse Annex', phones: [] }],
  },
  {
    name: 'Casa Abierta',
    phones: [{ digits: '650-555-0123 (se habla español)', phone_type: 'Recepción' }],
    opportunities: [
      { title: 'Clases de inglés', phones: [{ digits: '650-555-0124', phone_type: 'Inscripción' }] },
    ],
    locations: [{ name: 'Salón Comunitario', phones: [{ digits: '650-555-0125' }] }],
  },
  {
    name: 'Second Wind Job Center',
    phones: [{ digits: '1-800-555-0126', phone_type: 'Toll-free' }],
    opportunities: [
      { title: 'Resume Workshop', phones: [{ digits: '650-555-0127', phone_type: 'Sign-up' }] },
      { title: 'Interview Clothing', phones: [] },
    ],
    locations: [
      { name: 'Main Street Center', phones: [{ digits: '650-555-0128 or 0129', phone_type: 'Office' }] },
    ],
  },
  {
    name: 'Quiet Hours Respite Care',
    phones: [{ digits: '+1 (650) 555-0130', phone_type: 'Main' }],
    opportunities: [
      { title: 'Caregiver Support', phones: [{ digits: '650-555-0131', phone_type: 'Coordinator' }] },
    ],
    locations: [{ name: 'Garden House', phones: [{ digits: '650-555-0132', phone_type: 'House' }] }],
  },
  {
    name: 'Youth Line',
    phones: [
      { digits: '1-800-555-0133', phone_type: 'Voice' },
      { digits: '650-555-0134', phone_type: 'Text only' },
    ],
    opportunities: [
      { title: 'Peer Counseling', phones: [{ digits: '1-800-555-0133 #4', phone_type: 'Voice' }] },
    ],
    locations: [],
  },
];
