import { clipVisionConfigSchema } from '@ocelli/encoders';
import { llamaConfigSchema } from '@ocelli/language';
import { projectorConfigSchema } from '@ocelli/projectors';
import { z } from 'zod';
