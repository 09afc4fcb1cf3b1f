import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiProblems, LINK_HEADER } from '../common/api-responses.js';
import { setLinkHeader } from '../common/pagination.js';
import { RequestValidationPipe } from '../common/request-validation.pipe.js';
import { FoundPhoneDto, PhoneSearchQuery } from './dto/phone-search.dto.js';
import { PhonesService } from './phones.service.js';

@ApiTags('Phones of all owners')
@Controller({ path: 'phones', version: '1' })
export class PhoneSearchController {
  constructor(private readonly phones: PhonesService) {}

  @Get()
  @ApiOperation({
    summary: 'Find phones by number',
    description:
      'All phones that dial the number, however they and the number are written, by ascending ID, one page at a time. ' +
      'A phone that was changed by SQL is found again a few minutes later.',
  })
  @ApiOkResponse({ type: [FoundPhoneDto], description: 'The page.', headers: LINK_HEADER })
  @ApiProblems(503)
  async searchPhones(
    @Query(RequestValidationPipe) query: PhoneSearchQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FoundPhoneDto[]> {
    const page = await this.phones.search(query, reply.request.forwardedPrefix);
    return setLinkHeader(reply, query, page);
  }
}
