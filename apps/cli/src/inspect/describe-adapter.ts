import { join } from 'node:path';
import { fetchCheckpoint, loraConfigFromPeft, openSafetensors, OcelliError, readJsonFile } from '@ocelli/core-tensor';
