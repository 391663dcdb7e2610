//! The managed response headers policies in AWS's own shape (domain/managed-headers-policies.ts has their settings).
import type {
  FrameOptionsList,
  ReferrerPolicyList,
  ResponseHeadersPolicyAccessControlAllowMethodsValues,
  ResponseHeadersPolicyConfig,
  ResponseHeadersPolicyCorsConfig,
  ResponseHeadersPolicySecurityHeadersConfig,
} from '@aws-sdk/client-cloudfront'
import { MANAGED_HEADERS_POLICIES } from '../../domain/managed-headers-policies.ts'
import type { CorsDoc, SecurityHeadersDoc } from '../../domain/policy.ts'
import { counted } from './distribution-defaults.ts'

export const managedHeadersPolicyConfigs = MANAGED_HEADERS_POLICIES.map(({ id, name, settings }) => ({
  id,
  name: `Managed-${name}`,
  published: true,
  config: {
    Name: `Managed-${name}`,
    Comment: '',
    ...(settings.cors && { CorsConfig: corsView(settings.cors) }),
    ...(Object.keys(settings.security).length > 0 && { SecurityHeadersConfig: securityView(settings.security) }),
  } satisfies ResponseHeadersPolicyConfig as ResponseHeadersPolicyConfig,
}))

function corsView(cors: CorsDoc): ResponseHeadersPolicyCorsConfig {
  const list = <T>(items: readonly T[]) => ({ Quantity: items.length, Items: [...items] })
  return {
    AccessControlAllowOrigins: list(cors.allowOrigins),
    AccessControlAllowHeaders: list(cors.allowHeaders),
    AccessControlAllowMethods: list(cors.allowMethods as ResponseHeadersPolicyAccessControlAllowMethodsValues[]),
    AccessControlAllowCredentials: cors.allowCredentials,
    AccessControlExposeHeaders: counted(cors.exposeHeaders),
    OriginOverride: cors.override,
  }
}

function securityView(security: SecurityHeadersDoc): ResponseHeadersPolicySecurityHeadersConfig {
  const { contentTypeOptions, frameOptions, referrerPolicy, strictTransportSecurity: hsts, xssProtection } = security
  return {
    ...(xssProtection && {
      XSSProtection: {
        Override: xssProtection.override,
        Protection: xssProtection.protection,
        ModeBlock: xssProtection.modeBlock,
      },
    }),
    ...(frameOptions && {
      FrameOptions: { Override: frameOptions.override, FrameOption: frameOptions.value as FrameOptionsList },
    }),
    ...(referrerPolicy && {
      ReferrerPolicy: { Override: referrerPolicy.override, ReferrerPolicy: referrerPolicy.value as ReferrerPolicyList },
    }),
    ...(contentTypeOptions && { ContentTypeOptions: { Override: contentTypeOptions.override } }),
    ...(hsts && {
      StrictTransportSecurity: {
        Override: hsts.override,
        IncludeSubdomains: hsts.includeSubdomains,
        Preload: hsts.preload,
        AccessControlMaxAgeSec: hsts.maxAgeSec,
      },
    }),
  }
}
