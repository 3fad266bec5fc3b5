import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/** The admin API in its own words; served at /api/openapi.json. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const description = new DocumentBuilder()
    .setTitle('Essaim admin API')
    .setDescription('Workers, models and the placement of experts. Errors are `{ "error": { "code", "message" } }`.')
    .setVersion('1')
    .build();
  return SwaggerModule.createDocument(app, description);
}
