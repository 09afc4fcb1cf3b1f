import 'reflect-metadata';
import {
  Body,
  Controller,
  Get,
  Injectable,
  Module,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
  Put,
  ValidationPipe,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, Not, Repository } from 'typeorm';
import { Location } from '../../src/directory/location.entity.js';
import { Opportunity } from '../../src/directory/opportunity.entity.js';
import { Organization } from '../../src/directory/organization.entity.js';
import { CreatePhoneDto } from '../../src/phones/dto/create-phone.dto.js';
import type { PhoneDto } from '../../src/phones/dto/phone.dto.js';
import { UpdatePhoneDto } from '../../src/phones/dto/update-phone.dto.js';
import type { OwnerType } from '../../src/phones/phone-owner.js';
import { Phone } from '../../src/phones/phone.entity.js';

/*
 * The same routes in the style of the NestJS and TypeORM tutorials: find the owner and then its phones with repositories,
 * write in a transaction, and validate bodies with `ValidationPipe`. Its responses have the same bodies as the service's,
 * but not the additional headers.
 */

interface Owner {
  owner_type: OwnerType;
  owner_id: number;
}

@Injectable()
class PhonesService {
  constructor(
    @InjectRepository(Phone) private readonly phones: Repository<Phone>,
    @InjectRepository(Organization) private readonly organizations: Repository<Organization>,
    @InjectRepository(Opportunity) private readonly opportunities: Repository<Opportunity>,
    @InjectRepository(Location) private readonly locations: Repository<Location>,
    private readonly dataSource: DataSource,
  ) {}

  async organization(key: string): Promise<Owner> {
    const organization = await this.organizations.findOne({ where: whereIdOrSlug(key) });
    if (!organization) throw new NotFoundException('There is no such organization.');
    return { owner_type: 'organization', owner_id: organization.id };
  }

  async opportunity(organization: string, key: string): Promise<Owner> {
    const { owner_id: organization_id } = await this.organization(organization);
    const opportunity = await this.opportunities.findOne({
      where: { ...whereIdOrSlug(key), organization_id },
    });
    if (!opportunity) throw new NotFoundException('There is no such opportunity.');
    return { owner_type: 'opportunity', owner_id: opportunity.id };
  }

  async location(organization: string, id: number): Promise<Owner> {
    const { owner_id: organization_id } = await this.organization(organization);
    const location = await this.locations.findOne({ where: { id, organization_id } });
    if (!location) throw new NotFoundException('There is no such location.');
    return { owner_type: 'location', owner_id: location.id };
  }

  async list(owner: Owner): Promise<PhoneDto[]> {
    return (await this.phones.find({ where: owner, order: { id: 'ASC' } })).map(toDto);
  }

  async get(owner: Owner, id: number): Promise<PhoneDto> {
    const phone = await this.phones.findOne({ where: { ...owner, id } });
    if (!phone) throw new NotFoundException('There is no such phone.');
    return toDto(phone);
  }

  create(owner: Owner, phone: CreatePhoneDto): Promise<PhoneDto> {
    return this.dataSource.transaction(async (manager) => {
      const is_primary = phone.is_primary ?? !(await manager.existsBy(Phone, owner));
      if (is_primary) await manager.update(Phone, owner, { is_primary: false });
      const { digits, phone_type = null } = phone;
      return toDto(await manager.save(manager.create(Phone, { ...owner, digits, phone_type, is_primary })));
    });
  }

  update(owner: Owner, id: number, { digits, phone_type, is_primary }: UpdatePhoneDto): Promise<PhoneDto> {
    return this.dataSource.transaction(async (manager) => {
      const phone = await manager.findOne(Phone, { where: { ...owner, id } });
      if (!phone) throw new NotFoundException('There is no such phone.');
      if (is_primary) await manager.update(Phone, { ...owner, id: Not(id) }, { is_primary: false });
      return toDto(await manager.save(this.phones.merge(phone, { digits, phone_type, is_primary })));
    });
  }
}

function whereIdOrSlug(key: string): { id: number } | { slug: string } {
  return /^\d+$/.test(key) ? { id: Number(key) } : { slug: key };
}

function toDto({ id, digits, phone_type, is_primary }: Phone): PhoneDto {
  return { id, digits, phone_type, is_primary };
}

@Controller('v1/organizations/:organization_id/phones')
class OrganizationPhonesController {
  constructor(private readonly phones: PhonesService) {}

  @Get()
  async list(@Param('organization_id') organization: string): Promise<PhoneDto[]> {
    return this.phones.list(await this.phones.organization(organization));
  }

  @Get(':id')
  async get(
    @Param('organization_id') organization: string,
    @Param('id', ParseIntPipe) id: number,
  ): Promise<PhoneDto> {
    return this.phones.get(await this.phones.organization(organization), id);
  }

  @Post()
  async create(
    @Param('organization_id') organization: string,
    @Body() phone: CreatePhoneDto,
  ): Promise<PhoneDto> {
    return this.phones.create(await this.phones.organization(organization), phone);
  }

  @Put(':id')
  async update(
    @Param('organization_id') organization: string,
    @Param('id', ParseIntPipe) id: number,
    @Body() changes: UpdatePhoneDto,
  ): Promise<PhoneDto> {
    return this.phones.update(await this.phones.organization(organization), id, changes);
  }
}

@Controller('v1/organizations/:organization_id/opportunities/:opportunity_id/phones')
class OpportunityPhonesController {
  constructor(private readonly phones: PhonesService) {}

  @Get()
  async list(
    @Param('organization_id') organization: string,
    @Param('opportunity_id') opportunity: string,
  ): Promise<PhoneDto[]> {
    return this.phones.list(await this.phones.opportunity(organization, opportunity));
  }
}

@Controller('v1/organizations/:organization_id/locations/:location_id/phones')
class LocationPhonesController {
  constructor(private readonly phones: PhonesService) {}

  @Get()
  async list(
    @Param('organization_id') organization: string,
    @Param('location_id', ParseIntPipe) location: number,
  ): Promise<PhoneDto[]> {
    return this.phones.list(await this.phones.location(organization, location));
  }
}

const entities = [Phone, Organization, Opportunity, Location];

@Module({
  imports: [
    TypeOrmModule.forRoot({ type: 'postgres', url: process.env.DATABASE_URL, entities, poolSize: 10 }),
    TypeOrmModule.forFeature(entities),
  ],
  controllers: [OrganizationPhonesController, OpportunityPhonesController, LocationPhonesController],
  providers: [PhonesService],
})
class TutorialModule {}

const app = await NestFactory.create<NestFastifyApplication>(TutorialModule, new FastifyAdapter(), {
  logger: false,
});
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
await app.listen(0, '127.0.0.1');
console.log(await app.getUrl());
