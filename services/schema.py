"""Every table of the house in one place, for migrations and the drift test."""
# ruff: noqa: F401  imported for their tables; a tidy-up must not take one away

from sqlmodel import SQLModel

import services.alerts.models
import services.alerts.panic.models
import services.alerts.policy_models
import services.assessments.models
import services.audit.models
import services.billing.models
import services.care_plans.models
import services.caregivers.models
import services.catalogue.models
import services.centres.models
import services.claims.models
import services.complaints.models
import services.consents.models
import services.core.effective
import services.core.heartbeat
import services.core.idempotency
import services.core.outbox
import services.core.transitions
import services.credit.models
import services.dispatch.acts
import services.dispatch.aid.models
import services.dispatch.climbing.models
import services.dispatch.day_plans.models
import services.dispatch.models
import services.dispatch.policies.models
import services.dispatch.waves.models
import services.duty.models
import services.identity.models
import services.institutions.models
import services.ledger.models
import services.notifications.models
import services.orders.models
import services.packages.models
import services.payers.models
import services.payments.models
import services.quality.models
import services.referrals.models
import services.residents.models
import services.rules.models
import services.supervision.models
import services.tariffs.models
import services.terminals.commands.models
import services.terminals.models
import services.terminals.test_calls.models
import services.vendors.models
import services.visits.acts.models
import services.visits.cards.models
import services.visits.corrections.models
import services.visits.incidents.models
import services.visits.models
import services.visits.proofs.models
import services.visits.readings.models
import services.visits.supplies.models
import services.visits.watch.models
import services.vitals.models
import services.workload.models

metadata = SQLModel.metadata
