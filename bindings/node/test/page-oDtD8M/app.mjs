var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
var __metadata = (this && this.__metadata) || function (k, v) {
    if (typeof Reflect === "object" && typeof Reflect.metadata === "function") return Reflect.metadata(k, v);
};
var __param = (this && this.__param) || function (paramIndex, decorator) {
    return function (target, key) { decorator(target, key, paramIndex); }
};
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Verifier } from 'jwtauth';
import { CurrentGrant, jwtAuth } from 'jwtauth/nestjs';
const auth = jwtAuth(Verifier.fromFile('verifier.json'));
let Reports = class Reports {
    whoami(grant) {
        return JSON.stringify(grant.identity.name);
    }
    list() {
        return ['first', 'second'];
    }
    health() {
        return '"up"';
    }
};
__decorate([
    Get(),
    __param(0, CurrentGrant()),
    __metadata("design:type", Function),
    __metadata("design:paramtypes", [Object]),
    __metadata("design:returntype", String)
], Reports.prototype, "whoami", null);
__decorate([
    Get('reports'),
    auth.Requires({ role: 'editor' }),
    __metadata("design:type", Function),
    __metadata("design:paramtypes", []),
    __metadata("design:returntype", Array)
], Reports.prototype, "list", null);
__decorate([
    Get('health'),
    auth.Public(),
    __metadata("design:type", Function),
    __metadata("design:paramtypes", []),
    __metadata("design:returntype", String)
], Reports.prototype, "health", null);
Reports = __decorate([
    Controller()
], Reports);
let App = class App {
};
App = __decorate([
    Module({ controllers: [Reports] })
], App);
const app = await NestFactory.create(App);
app.useGlobalGuards(auth.guard);
await app.listen(3000);
