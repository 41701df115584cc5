"""Every table of the house in one place, for migrations and the drift test."""

from sqlmodel import SQLModel

import services.alerts.models
import services.alerts.policy_models
import services.audit.models
import services.billing.models
import services.caregivers.models
import services.catalogue.models
import services.centres.models
import services.core.heartbeat
import services.core.idempotency
import services.core.outbox
import services.core.transitions
import services.dispatch.models
import services.duty.models
import services.identity.models
import services.notifications.models
import services.orders.models
import services.quality.models
import services.referrals.models
import services.residents.models
import services.rules.models
import services.supervision.models
import services.terminals.commands.models
import services.terminals.models
import services.terminals.test_calls.models
import services.vendors.models
import services.visits.models
import services.vitals.models  # noqa: F401  imported for their tables

metadata = SQLModel.metadata
